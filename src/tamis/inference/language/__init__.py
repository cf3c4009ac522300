"""Language models behind OpenAI's chat protocol, which the named providers speak as well."""
