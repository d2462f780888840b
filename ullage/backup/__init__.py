"""Backups of a running installation: what is copied in which order, what a backup says of itself, the way back."""
