"""How polyatomic anions lie and turn, and where the cations stand about them."""
