"""Mechanisms that several methods share, each exactly once."""
