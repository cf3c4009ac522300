"""Pure analysis of text: where sentences and paragraphs end, how a text falls into chunks."""
