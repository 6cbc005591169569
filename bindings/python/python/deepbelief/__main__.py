"""`python -m deepbelief`: the command `dbn`."""

from deepbelief._program import main

if __name__ == "__main__":
    main()
