"""The commands of `monolayer`, by what they are about."""
