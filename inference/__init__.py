"""The one seam to a language model: a chat request goes in; a completion, or one of the errors, comes out."""
