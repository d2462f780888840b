"""Frames into state: each reading touches its device on its own, one scalar function per reading (STEP.md)."""
