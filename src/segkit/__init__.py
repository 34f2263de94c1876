"""segkit: customer segmentation for scikit-learn."""
