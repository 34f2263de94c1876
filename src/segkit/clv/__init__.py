"""Customer lifetime value: models of repeat buying and of spend, and their composition."""

from segkit.clv._bg_nbd import BetaGeoNBD
from segkit.clv._customer_lifetime_value import CustomerLifetimeValue
from segkit.clv._gamma_gamma import GammaGamma
from segkit.clv._pareto_nbd import ParetoNBD

__all__ = ["BetaGeoNBD", "CustomerLifetimeValue", "GammaGamma", "ParetoNBD"]
