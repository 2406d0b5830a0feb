"""Parsers and codecs under a coverage-guided fuzzer, and the laws that hold of each."""
