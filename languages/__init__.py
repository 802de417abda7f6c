"""What differs by language: numerals, units, words, and how to tell which language a text is in."""
