"""The verbs of the product: sign, register, list, sign in, audit."""
