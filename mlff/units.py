"""The project's units, and the only conversion factors in it.

Inside: length Å, energy eV, time fs, mass amu, charge e; force eV/Å; stress eV/Å³, tension positive
(ASE's sign). Convert at the border, by multiplying: `bohr_value * BOHR`. CODATA 2018.
"""

BOHR = 0.529177210903  # Å
NM = 10.0  # Å
HARTREE = 27.211386245988  # eV
RYDBERG = HARTREE / 2  # eV
HARTREE_PER_BOHR = HARTREE / BOHR  # eV/Å
KJ_PER_MOL = 0.010364269656262174  # eV
KCAL_PER_MOL = 4.184 * KJ_PER_MOL  # eV
EV_PER_A3_TO_GPA = 160.21766208  # GPa per eV/Å³
GPA = 1 / EV_PER_A3_TO_GPA  # eV/Å³
KBAR = 0.1 * GPA  # eV/Å³
BAR = 1e-4 * GPA  # eV/Å³
K_B = 8.617333262e-5  # eV/K
COULOMB = 14.399645478425668  # e²/(4πε₀), eV Å
PS = 1e3  # fs
PER_CM = 2.99792458e-5  # 1/fs, of a wavenumber in cm⁻¹: the speed of light in cm/fs
THZ = 1e-3 / PER_CM  # cm⁻¹, 33.356
G_PER_CM3 = 1 / 1.66053906660  # amu/Å³
ATOMIC_TIME = 2.4188843265857e-2  # fs, ħ / hartree
ELECTRON_MASS = 5.48579909065e-4  # amu
AMU = 1.66053906660e-27 / 1.602176634e-19 * 1e10  # eV fs²/Å² per amu: with such masses, m a is eV/Å and ½ m v² is eV
TO_MILLI = 1e3  # eV → meV
CM2_PER_S = 10.0  # Å²/fs, of a diffusivity; 1 Å²/ps = 1e-4 cm²/s
S_PER_CM = 1 / 16021.76634  # e²/(eV Å fs), of a conductivity
