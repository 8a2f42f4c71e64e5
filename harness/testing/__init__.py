"""The contract tests that every plugin must pass, published for third parties."""
