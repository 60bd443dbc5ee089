"""Clues: what the words around a candidate say of it."""

import re

__all__ = [
    "is_assigned",
    "is_commit",
    "is_hostile",
    "is_labelled",
    "is_named_file",
    "is_named_host",
    "is_of_file",
    "is_reference",
    "is_secret",
    "is_source",
    "is_version",
    "leads_to_address",
    "opens_indicators",
    "opens_references",
    "speaks_of_network",
]

_HOSTILE = re.compile(
    r"恶意|钓鱼|木马|病毒|蠕虫|勒索|后门|僵尸|挖矿|矿池|黑产|仿冒|假冒|伪造|冒充|伪装|失陷|攻击|黑客|"
    r"窃取|窃密|被盗|盗取|投毒|投递|回连|外联|外传|外泄|回传|上线|远控|载荷|样本|诈骗|骗子|欺诈|命令与控制|命令和控制|"
    r"泄露到|泄露在|托管[在于]|受害|被黑|入侵|心跳|信标|短信|邮件中的|控制端|控制服务器|劫持|封堵|封禁|关停|查封|接管|跳转|重定向|植入|泄露站点|暗网|可疑|威胁情报|"
    r"(?<![A-Za-z0-9])(?:C2|C&C|IOCs?|RAT|APT|payloads?|botnet|phishing|malware|DGA|sinkhole|loader|"
    r"shellcode|stealer|trojan|webshell)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
# Words that call what follows an indicator: even a name made up for examples is then meant as one.
_LABELLED = re.compile(
    r"(?:(?<![A-Za-z0-9])(?:C2|C&C|IOCs?)(?![A-Za-z0-9])|恶意(?:域名|IP|地址|链接|网址|URL)|"
    r"钓鱼(?:域名|链接|网址|网站)|回连|外联|失陷|仿冒域名|控制端|命令[与和]控制)[^。，,]{0,10}$",
    re.IGNORECASE,
)
_NAMED_HOST = re.compile(
    r"(?:域名|主机|网址|站点|服务器|地址|(?<![A-Za-z0-9])(?:domain|host|C2|C&C|URL|IOCs?))"
    r"\s*(?:分别)?[为是:：=“”\"'「（(\s]*$",
    re.IGNORECASE,
)
_CALLED_HOST = re.compile(
    r"[\s”\"'」）)]*(?:是|为)?(?:一个)?(?:(?:恶意|钓鱼|仿冒|可疑)(?:的)?(?:域名|网站|站点|主机)|域名)"
)
_NAMED_FILE = re.compile(r"(?:命名为|保存为|另存为|文件名?为?)[“\"'「（(\s]*$")
_DOMAIN_WORD = re.compile(r"域名|(?<![A-Za-z])(?:domain|DNS)", re.IGNORECASE)
# Words that point the reader to a source, and those that do so unless the sentence is of an attack.
_SOURCE = re.compile(
    r"(?:参考|原文|来源|出处|详见|详情|参见|参阅|请见|官网|官方|公告|更多|查看|阅读|项目|仓库|文档|译自|"
    r"投稿|源码|开源|博客|论文|文献|转载|全文|教程|视频|演示|体验|请访问|可访问|关注|购买|(?:数据|资料|图片|文章|消息|信息|内容)来自|(?<![A-Za-z])by)[^。；]{0,12}$"
)
_REFERENCE = re.compile(
    r"(?:链接|地址|网址|网站|报道|报告|安装包|产品|补丁|注册|查询)[^。；]{0,12}$"
)
# What leads to an address that is a part of the sentence, and not a source set behind it.
_LEADS = re.compile(
    r"(?:从|由|向|自|到|至|在|访问|连接|请求|下载|获取|拉取|指向|跳转|重定向|回传|发送|上传|外传|打开|通过|"
    r"利用|为|是|了|URLs?|网址|链接|地址|站点|网站|域名|页面|面板|后台|接口|脚本|样本|载荷|短链|二维码|服务器|"
    r"主机|程序|(?<![A-Za-z])(?:C2|C&C|IOCs?|wget|curl))"
    r"(?:\s+-[A-Za-z]+)*[^\w]{0,4}$",
    re.IGNORECASE,
)

_NEAR = 6
_PREDICATE = re.compile(
    r"[\s”\"'」）)]*(?:为|是|被|均|属于|系|用于|上|中|下|处|页面|发起|下载|获取|托管|指向|跳转|会|将)"
)

_VERSION_WORD = (
    r"(?:版本号?|版|固件|内核|补丁|升级到|升级至|升至|更新到|更新至|修复于|低于|高于|早于|晚于|小于|大于|"
    r"影响范围|第|章节|序列号|(?<![A-Za-z])(?:versions?|ver|v|build|release|firmware|rev|OID)\.?)"
)
_VERSION_BEFORE = re.compile(
    rf"{_VERSION_WORD}[号为是从到至在:：=“”\"'(（\s]{{0,6}}(?:<|<=|≤|>=|≥|=)?\s*$"
    r"|版本?[为是:：\s]+[A-Za-z][A-Za-z0-9 .\-]{1,24}\s$"
    r"|(?:<=|>=|[<≤≥]|==)\s*$|(?<!tcp)(?<!udp)(?<=[A-Za-z)])/$",
    re.IGNORECASE,
)
_VERSION_AFTER = re.compile(
    r"\s*[)）]?\s*等?(?:多个)?[A-Za-z ]{0,24}"
    r"(?:版|[<≤]|及?以下|及?之前|及?以前|及更|及其|以上|固件|更新|补丁|\.x|x64|节|章)"
)
# "Version 1.2.3.4 of a product": the product's name stands right before a row of small numbers.
_PRODUCT = re.compile(r"(?P<word>[A-Za-z][A-Za-z0-9+#.\-]*)\s+$")
_NETWORK_WORD = re.compile(
    "ip|ipv4|addr|address|c2|cc|from|to|ping|ssh|telnet|curl|wget|nc|connect|dns|at|via|iocs?|loader|"
    "src|dst|source|and|or",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"地址|服务器|主机|端口|连接|解析|来自|攻击|恶意|通信|回连|外联|节点|代理|源|失陷|封禁|扫描|"
    r"(?<![A-Za-z0-9])(?:IP|C2|C&C|DNS|IOCs?|ping)(?![A-Za-z0-9])|://",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(r"\]\s*=\s*[\"']?$")  # a table of addresses in a program
_SECTION = re.compile(r"\s+[^\s是为:：,，、(（|/]")

_COMMIT = re.compile(
    r"(?:提交|修订|合并|(?<![a-z])(?:commits?|git|checkout|revision|cherry-pick|merge|tree|blob|rev|HEAD))"
    r"[^。，,;；]{0,16}$",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"(?:密钥|私钥|公钥|令牌|密码|口令|盐|签名|序号|订单|编号|合约|指纹|证书|镜像|加密后|md5一下|"
    r"(?:pass|key|token|secret|cookie|nonce|salt|sign|signature|pwd|sess\w*|passw\w*|auth\w*|uuid|guid|"
    r"[a-z_]+id|hostkey|digest|random|ntlm|lmhash|hmac|csrf|bearer|flag|(?:user|root)\.txt))"
    r"[^。，,;；\w]{0,5}(?:值)?[为是]?[:：={“”\"'(（\s]{0,4}$|[=&?/]$|:\d{3,5}:$|[0-9a-fA-F]{32}:$|"
    r"[0-9a-fA-F]{2}[·:-]$",
    re.IGNORECASE,
)
# Hashes of what is no file: layers of containers, blocks and transactions of a chain.
_NO_FILE = re.compile(
    r"(?:digest|image|镜像)\W{0,3}sha256:$|@sha\d+:$|(?:区块|交易|转账)(?:的)?(?:哈希|hash)?\W{0,3}$",
    re.IGNORECASE,
)
_SECRET_AFTER = re.compile(
    r"\s*\((?:RSA|DSA|ECDSA|ED25519)\)|[·$]|\s+to file|:[0-9a-fA-F]{32}(?![0-9a-fA-F])"
    r"|\s*(?:为|是)\s*NTLM"
)
_HASH_WORD = re.compile(
    r"(?<![@\-])(?:md5|sha-?\d*|hash|哈希|散列|摘要|校验)[值]?[为是]?\s*[=:：]?\s*$", re.IGNORECASE
)
# What a hash can be of, and short labels: EXE：, R11：.
_HASHED = re.compile(
    r"md5|sha-?\d|hash|哈希|散列|摘要|校验|文件|附件|程序|模块|组件|驱动|脚本|加载器|下载器|诱饵|文档|安装包|"
    r"\.(?:exe|dll|apk|docx?|xlsx?|pdf|js|vbs|bat|ps1|zip|rar|7z|iso|lnk|jar|elf|so|sys|bin|msi|"
    r"hta)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SHORT_LABEL = re.compile(
    r"(?:^|[\s,，、与和|(（])[A-Za-z0-9_.\-]{1,16}[:：]\s*$"
    r"|^[^A-Za-z0-9\u4e00-\u9fff]*(?:[A-Za-z0-9_.\-]{1,16}\s+){0,2}[^A-Za-z0-9\u4e00-\u9fff]*$"
)

_INDICATOR_HEADING = re.compile(
    r"(?<![A-Za-z0-9])(?:IOCs?|C2|C&C|MD5|SHA-?(?:1|256|512)|domains?|payloads?|loader)"
    r"(?![A-Za-z0-9])|失陷|入侵指标|威胁指标|攻击指标|网络指标|(?:恶意|钓鱼|仿冒|伪造|可疑)(?:的)?(?:域名|IP|地址|链接|网址|网站|站点|URL)|"
    r"下载服务器|^\W*[\d.、]*\s*域名\W*$",
    re.IGNORECASE,
)
_REFERENCE_HEADING = re.compile(
    r"参考|引用|原文|来源|延伸|推荐|资料|文献|reference|阅读|更多|工具|项目|详情", re.IGNORECASE
)
_LONGEST_HEADING, _SHORT_HEADING = 40, 14


def is_hostile(before: str, after: str) -> bool:
    """Say whether the sentence speaks of an attack, its means or its actors."""
    return bool(
        _HOSTILE.search(before) or _HOSTILE.search(after) or _DOMAIN_WORD.search(before[-12:])
    )


def leads_to_address(before: str, after: str) -> bool:
    """Say whether an address is a part of its sentence: something loads, visits or calls it."""
    return bool(
        _LEADS.search(before) or _HOSTILE.search(before[-_NEAR:]) or _PREDICATE.match(after)
    )


def is_labelled(before: str) -> bool:
    """Say whether the words right before call what follows an indicator."""
    return _LABELLED.search(before) is not None


def is_named_host(before: str, after: str) -> bool:
    """Say whether the words right beside say that it is a host."""
    return bool(_NAMED_HOST.search(before) or _CALLED_HOST.match(after))


def is_source(before: str) -> bool:
    """Say whether the words before tell where the article or more about it is from."""
    return _SOURCE.search(before) is not None


def is_named_file(before: str) -> bool:
    """Say whether the word right before says that a file follows."""
    return _NAMED_FILE.search(before) is not None


def is_reference(before: str) -> bool:
    """Say whether the words before point the reader somewhere, in a sentence of no attack."""
    return bool(_REFERENCE.search(before)) and not _HOSTILE.search(before)


def is_version(before: str, after: str) -> bool:
    """Say whether the words right before or behind make numbers a version."""
    return bool(_VERSION_BEFORE.search(before) or _VERSION_AFTER.match(after))


def is_assigned(before: str) -> bool:
    """Say whether a program gives an element of a table its value."""
    return _ASSIGNED.search(before) is not None


def speaks_of_network(before: str, after: str) -> bool:
    """Say whether small numbers are an address, no section's number or product's version."""
    if not before.strip() and _SECTION.match(after):
        return False
    product = _PRODUCT.search(before)
    if product and not _NETWORK_WORD.fullmatch(product["word"]):
        return False
    return bool(_NETWORK.search(before) or _NETWORK.search(after))


def is_commit(before: str) -> bool:
    """Say whether the words before make a hash the name of a commit."""
    return _COMMIT.search(before) is not None


def is_secret(before: str, after: str) -> bool:
    """Say whether the words around make a hash a key, a token or a part of something longer."""
    if _SECRET_AFTER.match(after) or _NO_FILE.search(before):
        return True
    return bool(_SECRET.search(before)) and not _HASH_WORD.search(before)


def is_of_file(before: str, after: str) -> bool:
    """Say whether the sentence speaks of a file, of hashes or of an attack, or is but a label."""
    return bool(
        _HASHED.search(before)
        or _HASHED.search(after)
        or _HOSTILE.search(before)
        or _HOSTILE.search(after)
        or _SHORT_LABEL.search(before)
    )


def opens_indicators(line: str) -> bool:
    """Say whether a line is the heading of a list of indicators, and not of an article to read."""
    line = line.strip()
    if len(line) > _LONGEST_HEADING or _REFERENCE_HEADING.search(line):
        return False
    if line.endswith((":", "：")) and _HOSTILE.search(line):
        return True
    found = _INDICATOR_HEADING.search(line)
    return bool(found) and (len(line) <= _SHORT_HEADING or line.endswith((":", "：")))


def opens_references(line: str) -> bool:
    """Say whether a line is the heading of a list of sources."""
    return len(line) <= _LONGEST_HEADING and bool(_REFERENCE_HEADING.search(line))
