"""Identifiers of vulnerabilities and techniques in a text: CVE, CNVD, CNNVD and ATT&CK."""

import re
import unicodedata

__all__ = ["identifiers"]

# Pages print identifiers with every dash a keyboard or a typesetter offers, full-width ones and
# soft hyphens among them; "CVE 2021 44228" and "CVE_2021_44228" are seen too.
_DASH = r"[-‐‑‒–—―−﹣_ \u00ad]"
_IDENTIFIER = re.compile(
    rf"(?=[CT])(?<![A-Za-z0-9])(?:"
    rf"(?P<cve>CVE){_DASH}{{1,2}}(?P<cve_year>(?:19|20)\d\d){_DASH}{{1,2}}(?P<cve_number>\d{{4,7}})"
    rf"|(?P<chinese>(?:CNVD(?:{_DASH}C)?|CNNVD){_DASH}(?:19|20)\d{{2,4}}{_DASH}\d{{3,8}})"
    r"|(?P<attack>(?-i:TA00\d\d|T1\d{3}(?:\.\d{3})?))"
    r")(?![A-Za-z0-9])",
    re.ASCII | re.IGNORECASE,
)
_DASHES = re.compile(_DASH)
# Han characters and these marks combine with nothing and are part of no identifier in any width:
# to bring only what stands between them into one width takes a fraction of the time.
_RUN = re.compile("[^\u4e00-\u9fff，。、：；！？（）“”]{2,}")


def identifiers(text: str) -> tuple[str, ...]:
    """Return the identifiers in `text`, canonical and in upper case, in order of appearance.

    Of ATT&CK, techniques (T1059, T1059.001) and tactics (TA0001) are identifiers.
    """
    found: dict[str, None] = {}
    runs = unicodedata.normalize("NFKC", "\n".join(_RUN.findall(text)))
    for match in _IDENTIFIER.finditer(runs):
        if match["cve"]:
            found[f"CVE-{match['cve_year']}-{match['cve_number']}"] = None
        elif match["chinese"]:
            found[_DASHES.sub("-", match["chinese"]).upper()] = None
        else:
            found[match["attack"]] = None
    return tuple(found)
