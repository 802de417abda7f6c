"""`python -m configs`: writes docs/configuration.md."""

from configs.reference import main

if __name__ == "__main__":
    main()
