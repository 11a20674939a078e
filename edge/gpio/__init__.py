"""The pins of the board; gpiozero is the port, its mock factory the fake."""
