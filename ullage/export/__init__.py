"""What the installation knows as rows for other programs: `ullage export`."""
