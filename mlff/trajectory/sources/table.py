"""Columns of text to numbers, some ten times as fast as splitting lines into strings."""

import numpy as np
from numba import njit

SKIP, NUMBER, WORD = 0, 1, 2  # what a column is read as
UNFINISHED, MALFORMED = -1, -2
POWERS = np.array([10.0**k for k in range(23)])  # those that float64 holds exactly


@njit(cache=True, nogil=True)
def parse_table(text, at, kinds, numbers, words):
    """Rows of words between blanks; what follows the last of `kinds` in a line is passed over.

    A number of up to 15 digits is the nearest float64, as mantissa and power of ten are both exact; one of more digits is within two
    units in the last place.

    Args:
        text: (n,) uint8; at: where the first row begins.
        kinds: (n_columns,) int8.
        numbers: (n_rows, how many NUMBER) float64, filled.
        words: (n_rows, how many WORD) int64, filled with the first seven bytes of each word.
    Returns:
        (where the text goes on, n_rows); or (UNFINISHED, rows that are whole) where the text ends before the last line end; or
        (MALFORMED, row) where a row has too few words or one that is no number.
    """
    size = len(text)
    for row in range(len(numbers)):
        i_number = i_word = 0
        for kind in kinds:
            while at < size and (text[at] == 32 or text[at] == 9 or text[at] == 13):
                at += 1
            if at >= size:
                return UNFINISHED, row
            if text[at] == 10:
                return MALFORMED, row
            begin = at
            if kind == NUMBER:
                negative = text[at] == 45
                if negative or text[at] == 43:
                    at += 1
                mantissa, digits, seen, exponent, after_point = 0, 0, 0, 0, 0
                while at < size:
                    digit = np.int64(text[at]) - 48
                    if 0 <= digit <= 9:
                        seen += 1
                        if digits < 18:
                            mantissa = 10 * mantissa + digit
                            digits += mantissa > 0
                            exponent -= after_point
                        else:
                            exponent += 1 - after_point
                    elif digit == -2 and not after_point:
                        after_point = 1
                    else:
                        break
                    at += 1
                if at < size and (text[at] | 32 == 101 or text[at] | 32 == 100):  # e or, from Fortran, d
                    at += 1
                    down = at < size and text[at] == 45
                    if at < size and (down or text[at] == 43):
                        at += 1
                    power, begin_power = 0, at
                    while at < size and 48 <= text[at] <= 57 and power < 10000:
                        power = 10 * power + np.int64(text[at]) - 48
                        at += 1
                    if at < size and at == begin_power:
                        return MALFORMED, row
                    exponent += -power if down else power
                if at < size and (seen == 0 or text[at] > 32):
                    return MALFORMED, row
                value = float(mantissa)
                if -23 < exponent < 0:
                    value /= POWERS[-exponent]
                elif 0 <= exponent < 23:
                    value *= POWERS[exponent]
                elif exponent > 0:
                    value *= 10.0**exponent
                else:
                    value = value / 10.0 ** min(-exponent - 22, 300) / POWERS[22]
                numbers[row, i_number] = -value if negative else value
                i_number += 1
            elif kind == WORD:
                packed = 0
                while at < size and text[at] > 32:
                    if at - begin < 7:
                        packed += np.int64(text[at]) << (8 * (at - begin))
                    at += 1
                words[row, i_word] = packed
                i_word += 1
            else:
                while at < size and text[at] > 32:
                    at += 1
        while at < size and text[at] != 10:
            at += 1
        if at >= size:
            return UNFINISHED, row
        at += 1
    return at, len(numbers)


def unpacked(word: int) -> str:
    """The word that `parse_table` packed."""
    return int(word).to_bytes(8, "little").rstrip(b"\0").decode("latin-1")
