"""Takes the blank line from the end of code blocks, which ends the output of a doctest."""

from typing import Any

from docutils import nodes


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-read", strip_code_blocks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def strip_code_blocks(_app: Any, document: nodes.document) -> None:
    """Strip every code block of a page."""
    for block in document.findall(nodes.literal_block):
        text = block.astext().rstrip("\n")
        if block.rawsource == block.astext():  # else it is highlighted by its own rules
            block.rawsource = text
            block[:] = [nodes.Text(text)]
