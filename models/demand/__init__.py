"""Demand: how much of a product, where, in the weeks to come (SCIENCE.md section 2)."""
