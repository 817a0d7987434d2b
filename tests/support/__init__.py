"""What the tests build on: real keys made on the spot, a sealed release to copy, the commands as processes."""
