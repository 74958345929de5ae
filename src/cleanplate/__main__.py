"""`python -m cleanplate`."""

from cleanplate.cli import main

if __name__ == "__main__":
    main()
