"""`python -m ullage` is the command `ullage`."""

from ullage.cli import main

if __name__ == "__main__":
    main()
