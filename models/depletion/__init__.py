"""When will this slot be empty? The distribution of the time until then, from what its device said."""

PROBABILITIES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
"""At which quantiles are told and scored."""

NORMAL_Z = (
    -1.959963984540054,
    -1.644853626951473,
    -1.2815515655446004,
    -0.6744897501960817,
    0.0,
    0.6744897501960817,
    1.2815515655446004,
    1.644853626951473,
    1.959963984540054,
)
"""Quantiles of the standard normal at PROBABILITIES; a class's calibrated ones take their place."""
