"""`python -m messaging`: writes the rights of each process into docs/security.md."""

from messaging.rights import main

if __name__ == "__main__":
    main()
