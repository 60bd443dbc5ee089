"""Identifiers of vulnerabilities, weaknesses and techniques in a text.

CVE, CNVD, CNNVD and GHSA name vulnerabilities, CWE weaknesses, ATT&CK techniques and tactics.
"""

import re
import unicodedata

__all__ = ["identifiers"]

# Pages print identifiers with every dash a keyboard or a typesetter offers, full-width ones and
# soft hyphens among them; "CVE 2021 44228" and "CVE_2021_44228" are seen too.
_DASH = r"[-‐‑‒–—―−﹣_ \u00ad]"
_GHSA = "[23456789cfghjmpqrvwx]{4}"  # without vowels, and what looks like another sign
_IDENTIFIER = re.compile(
    rf"(?=[CTG])(?<![A-Za-z0-9])(?:"
    rf"(?P<cve>CVE){_DASH}{{1,2}}(?P<cve_year>1999|20\d\d){_DASH}{{1,2}}(?P<cve_number>\d{{4,19}})"
    rf"|(?P<cnvd>CNVD(?:{_DASH}C)?{_DASH}20\d\d{_DASH}\d{{4,8}}"
    rf"|CNNVD{_DASH}(?:19|20)\d\d(?:0[1-9]|1[0-2]){_DASH}\d{{3,8}})"
    rf"|GHSA{_DASH}(?P<ghsa>{_GHSA}{_DASH}{_GHSA}{_DASH}{_GHSA})"
    rf"|CWE{_DASH}(?P<cwe>[1-9]\d{{0,2}}|1[0-4]\d\d)"
    # Of an address at attack.mitre.org the sub-technique is a part of the path.
    r"|(?P<attack>(?-i:TA0[01]\d\d|T(?!1000)(?:1[0-6]\d\d|08\d\d)(?:[./]\d{3}(?!\d))?))"
    r")(?![A-Za-z0-9])",
    re.ASCII | re.IGNORECASE,
)
_DASHES = re.compile(_DASH)
# Han characters and these marks combine with nothing and are part of no identifier in any width:
# to bring only what stands between them into one width takes a fraction of the time.
_RUN = re.compile("[^\u4e00-\u9fff，。、：；！？（）“”]{2,}")

# ATT&CK's groups, software and mitigations look like the numbers of products (S1720, M1000): they
# count beside its name or one of its techniques, on the same line.
_ATTACK_ENTITY = re.compile(
    r"(?<![A-Za-z0-9])(?:[GS][01]\d{3}|M10[1-5]\d)(?![A-Za-z0-9])", re.ASCII
)
_ATTACK_CONTEXT = re.compile(r"ATT&CK|MITRE|(?<![A-Za-z0-9])(?:T1[0-6]\d\d|TA00\d\d)(?![0-9])")
_AROUND = 200  # characters
_GROUP_CONTEXT = re.compile(r"APT|(?:组织|团伙|集团|Group)\W{0,3}G0")


def identifiers(text: str) -> tuple[str, ...]:
    """Return the identifiers in `text`, in their canonical form, in order of appearance.

    They are in upper case, but for the letters behind GHSA-. Of ATT&CK, techniques (T1059,
    T1059.001) and tactics (TA0001) are identifiers wherever they stand; groups, software and
    mitigations where the line speaks of ATT&CK, and alone.
    """
    found: dict[str, int] = {}
    runs = unicodedata.normalize("NFKC", "\n".join(_RUN.findall(text)))
    for match in _IDENTIFIER.finditer(runs):
        if match["cve"]:
            name = f"CVE-{match['cve_year']}-{match['cve_number']}"
        elif match["cnvd"]:
            name = _DASHES.sub("-", match["cnvd"]).upper()
        elif match["ghsa"]:
            name = f"GHSA-{_DASHES.sub('-', match['ghsa']).lower()}"
        elif match["cwe"]:
            name = f"CWE-{match['cwe']}"
        else:
            name = match["attack"].replace("/", ".")
        found[name] = 0
    for name in _attack_entities(text):
        found[name] = 0
    return tuple(found)


def _attack_entities(text: str) -> list[str]:
    found = []
    alone = text.strip()
    for match in _ATTACK_ENTITY.finditer(text):
        # The neighbourhood is enough of a line without end, and keeps the work in proportion.
        before = text[max(0, match.start() - _AROUND) : match.start()].rpartition("\n")[2]
        after = text[match.end() : match.end() + _AROUND].partition("\n")[0]
        around = before + match[0] + after
        if (
            match[0] == alone
            or _ATTACK_CONTEXT.search(around)
            or (match[0].startswith("G0") and _GROUP_CONTEXT.search(around))
        ):
            found.append(match[0])
    return found
