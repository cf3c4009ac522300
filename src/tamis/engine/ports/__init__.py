"""What the engine and the services need from the world, as Protocols. Backends implement one each."""
