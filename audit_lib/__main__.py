"""`python -m audit_lib` is `ctxaudit`."""

from audit_lib.cli import main

if __name__ == "__main__":
    main()
