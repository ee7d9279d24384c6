"""Type faces that readers have already: nothing is fetched."""

READING = "Charter, 'Bitstream Charter', 'Sitka Text', Cambria, Georgia, serif"
INTERFACE = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
CODE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
