"""What sites hang around an article: bylines, lists, notes and footers, told by their words.

The patterns say what a line says, not which site says it; they match a whole line. Portals with
rules of their own are in `index.extract.sites`.
"""

import re
from collections.abc import Sequence

from index.extract.blocks import Block

__all__ = [
    "closes_article",
    "is_address",
    "is_byline",
    "is_content",
    "is_disclaimer",
    "is_footer",
    "is_labelled_byline",
    "is_notice",
    "is_promotion",
    "opens_disclaimer",
    "opens_references",
]

# What is longer is no line of a site's; it also bounds what the patterns cost.
_LONGEST_NOTE = 800
_FLAGS = re.VERBOSE | re.DOTALL | re.IGNORECASE
_DATE = r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}"
_COUNT = r"[\d,.]+\s?[万wWkK]?\+?"

# A line of a byline that says itself what it is.
_LABELLED = re.compile(
    rf"""
      .{{0,60}}{_DATE}.{{0,60}}
    | .{{0,30}}\d{{1,3}}\s?(?:分钟|小时|天|个月|周)\s?前.{{0,20}}
    | .{{0,20}}(?:作者|译者|编辑|责编|责任编辑|校对|审核|编译|记者|来源|來源|出处|分类|分類|栏目|专栏|标签|標籤|关键词
        |文章标签|分类专栏|发布时间|發佈時間|發布時間|发布于|发表于|更新时间|更新于|时间|日期|所属地|字数|热度)\s?[:：].{{0,80}}
    | (?:Author|By|Posted|Published|Date|Categories|Category|Tags?|Source|Updated?)\b.{{0,60}}
    | .{{0,10}}(?:阅读|浏览|查看|点击|人气|访问|热度|评论|点赞|收藏|字数|围观|喜欢|分享|推荐)(?:量|数|次数)?
        \s?[:：(（]?\s?{_COUNT}\s?(?:次|人|篇|字)?[)）]?.{{0,20}}
    | .{{0,10}}{_COUNT}\s?(?:次|人|个)?
        (?:阅读|浏览|查看|点击|评论|点赞|收藏|赞|views?|字|分钟阅读|min\sread)
    | (?:阅读)?(?:大?约|需要?|本文).{{0,12}}分钟.{{0,8}}
    """,
    _FLAGS,
)
# A line that stands in bylines and means nothing alone.
_LOOSE = re.compile(
    r"""
      [\d\s.,:+|·•/()（）\[\]#<>«»-]*
    | 原创|转载|翻译|\+?\s?关注|已关注|收藏|点赞|赞|踩|分享|评论|举报|复制链接|打印|字号.{0,6}
    | [大中小](?:\s?[大中小]){0,2}|首页|登录|注册|投稿|返回|上一页|下一页|编辑|修改|删除|设置|订阅
    | 订阅专栏|版权|全文|展开|本文(?:共|约|全文).{0,20}字.{0,20}|CC\s.{0,20}版权|听.{0,4}(?:全文|新闻)
    | 语音播报|黑夜模式|目录表?|Toggle|TOC|文章目录|cover_image|.{0,4}(?:责任编辑|原标题)\s?[:：].{0,60}
    """,
    _FLAGS,
)
# The caption of what follows an article.
_ENDS = re.compile(
    r"""
    (?: 你可能(?:还)?(?:感兴趣|喜欢)的?.{0,4}|您可能还喜欢.{0,4}|猜你喜欢|为你推荐|大家都在看|喜欢作者
    | 相关(?:的)?(?:文章|阅读|推荐|新闻|热文|资讯|内容|链接|专题|话题|帖子|日志|博文|报道).{0,6}
    | (?:推荐|延伸|拓展|扩展|往期|精彩|更多|热门|历史)
        (?:阅读|文章|推荐|回顾|精选|内容|新闻|资讯|精彩|好文|热文|专题|话题|评论)(?:推荐|回顾|精选)?.{0,4}
    | (?:最新|最近|近期|热门|随机|本站|今日)
        (?:文章|评论|发布|资讯|推荐|热点|话题|回复|动态|热门|热榜|消息|发表|主题)
    | (?:文章|站点|本站|24小时|一周|本周|新闻|点击|阅读)?(?:排行|热榜|热文)榜?
    | (?:发表|添加|撰写|写|我要|网友|全部|最新|所有|暂无)评论|发表回复|取消回复|评论列表|评论区?
    | 评论\s?[(（]?\d+.{0,6}|\d+\s?(?:条|个)(?:评论|回复|回答)|留言板?
    | Comments?|Leave\sa\s(?:Reply|Comment)|Related\s(?:Posts?|Articles?)|Recent\sPosts?
    | (?:分享|转发)(?:至|到|给|本文)?\s?[:：]?(?:微信|微博|新浪|QQ|朋友圈|好友|空间|[\s、/])*
    | 扫一?扫.{0,20}|微信扫一扫.{0,20}|打开微信扫一扫.*|长按.{0,30}(?:二维码|关注).{0,20}
    | (?:上|前|下|后)一?篇\s?[:：]?.{0,80}|(?:Prev|Previous|Next|Older|Newer)(?:\sPost)?\b.{0,80}
    | 感谢您的支持.*|打赏.{0,10}|赞赏.{0,10}|文章导航|关于作者|作者(?:简介|介绍)
    | 作者的?(?:最新|其他|更多)文章
    | [-—\s]*END[-—\s]*|[（(]完[)）]|(?:本文|全文)完
    )[:：]?
    """,
    _FLAGS,
)
# Words by which an account or a site advertises itself.
_PROMOTION = re.compile(
    r"""
      关注.{0,12}(?:公众号|公号|视频号|我们)|(?:公众号|微信号|公号)\s?[:：]|星标|扫码|知识星球|交流群
    | 点击.{0,8}(?:下方|上方|蓝字|卡片|关注|名片|阅读原文)|(?:长按|识别|扫描?).{0,12}(?:二维码|识别|关注|码)
    | (?:欢迎|记得|别忘).{0,12}(?:关注|加入|转发|投稿|留言|点赞|收藏|订阅)|(?:点个?|点亮).{0,4}(?:赞|在看)
    | 分享.{0,3}收藏.{0,3}点赞|后台.{0,6}回复|回复关键[字词]|加.{0,8}微信|免费(?:咨询|领取)|开奖|限时|优惠
    """,
    _FLAGS,
)
_DISCLAIMER_CAPTION = re.compile(
    r"[\W\d_]*(?:(?:免责|法律|特别|重要|郑重|前置)?(?:声明|申明)|阅读须知|免责条款|使用须知)[\W_]*"
)
_DISCLAIMER = re.compile(
    r"""
    (?=.*(?:本文|本公众号|本号|本人|本站|此文|文中|文章|作者|读者|笔者|我们))
    .{0,120}(?:仅供|仅限|只为|只用于|仅用于|请勿|勿用|切勿|禁止|不得|不要|严禁)
    .{0,80}(?:学习|研究|测试|交流|参考|非法|违法|违规|攻击).{0,200}(?:责任|无关|后果|自负|承担|违者).*
    """,
    _FLAGS,
)
# Notes on an article's origin and rights, after which no text of it comes.
_NOTICE = re.compile(
    r"""
      .{0,40}(?:如若|如需|转载时?|未经).{0,12}转载.{0,12}(?:请|须|需|务必).{0,6}(?:注明|联系|标明|保留|附上).*
    | .{0,60}转载请(?:注明|联系|标明).*|本文由.{1,40}(?:原创|首发|发布|投稿|整理|翻译).{0,40}
    | (?:本文|文章|译文|原文|内容|素材)?(?:转载|摘编|翻译|编译|节选|整理)自\s?[:：]?.{0,200}
    | 本?文章?(?:来源|来自|出处|原文|地址|链接)\s?[:：].{0,200}
    | (?:原文|本文)(?:链接|地址|标题|来源|网址)\s?[:：].{0,200}
    | (?:参考|引用|资料|消息|信息|新闻)(?:资料|链接|来源|文献|文章|网址|出处)\s?[:：].{0,300}
    | (?:版权|免责|特别)?声明\s?[:：].{10,}|【?(?:版权|免责)声明】?.{0,400}
    | .{0,30}(?:著作权归|版权归|版权所有).{0,60}|.{0,60}(?:如有|若有|涉嫌|如涉).{0,4}侵权.{0,80}
    | [（(](?:本文)?(?:原标题|原题|本文来自|本文来源|综合整理自|图片来源|责任编辑|编辑|责编).{0,100}[)）]
    | (?:本文)?原(?:标题|题)(?:为)?\s?[:：].{0,120}|关键[词字]\s?(?:>>|[:：]).{0,100}
    | (?:图片|以上内容).{0,6}(?:来自|来源于|源自)(?:网络|互联网).{0,10}
    | (?:商务|合作|投稿|联系|广告)(?:合作|邮箱|电话|方式|微信)\s?[:：].{0,80}
    """,
    _FLAGS,
)
_REFERENCES = re.compile(
    r"""
    [\W\d_]*(?:[一二三四五六七八九十]{1,3}[、.．\s])?
    (?: (?:附录|附)?\s?(?:参考|引用|相关|信息|资料)\s?
          (?:资料|链接|文献|文章|来源|网址|引用|内容|信息)?(?:链接|地址|来源|列表|及?资料|与引用)?
      | References?|Refs?|Reference\sLinks?|Sources?|原文链接|消息来源
    )[\W_]*
    """,
    _FLAGS,
)
_ENTRY = re.compile(r"[\[【(（]?\d{1,3}[\]】)）.、]\s?\S")
# The characters before the words are their first ones: they spare most places the alternatives.
_FOOTER = re.compile(
    r"""
      .{0,80}(?=[©CAIPT公经服出备举违])
        (?:Copyright|©|All\sRights?\sReserved|ICP[备证]|公网安备|公安备案|Powered\sby|Theme\sby
        |(?:经营|服务|出版)许可证|备案号|举报(?:电话|邮箱)|违法和不良信息).*
    | [^。]{0,40}(?=[R站友隐用服使联关访])
        (?:RSS|站点地图|友情链接|隐私政策|用户协议|服务条款|使用条款|联系我们|关于我们
        |访问量|访客数)[^。]{0,60}
    | 本站(?:文章|内容|所有|资料|提供|由|采用|总访问|所提到).*
    """,
    _FLAGS,
)
_SENTENCE = re.compile("[。！？；：，、]|[a-z]{2,}[.,;:] ")
_URL_ONLY = re.compile(r"[\W\d]*(?:https?://|www\.)\S+|\S+\.(?:com|org|net|cn|io|ru)/\S*")
_ADDRESS = re.compile(
    r"[\W\d]*(?:(?:https?://|www\.)\S+|[\w.-]+\.[a-z]{2,}/\S*)(?:\s+(?:https?://|www\.)\S+)*"
)


def is_labelled_byline(block: Block) -> bool:
    """Say whether a line tells the time, the author, the readers or the like."""
    return block.kind != "code" and len(block.text) < 140 and bool(_LABELLED.fullmatch(block.text))


def is_byline(block: Block) -> bool:
    """Say whether a line may stand between a title and its article."""
    if block.kind == "code":
        return False
    return (
        block.kind == "rule"
        or is_labelled_byline(block)
        or bool(len(block.text) < _LONGEST_NOTE and _LOOSE.fullmatch(block.text))
        or (block.is_link and len(block.text) < 60)
        or block.is_contents_line
    )


def is_content(block: Block) -> bool:
    """Say whether a block reads like text: long enough, or a sentence, and no link."""
    if block.kind in {"code", "table"}:
        return True
    if block.is_link or is_footer(block):
        return False
    return len(block.text) >= 40 or (len(block.text) >= 12 and bool(_SENTENCE.search(block.text)))


def is_footer(block: Block) -> bool:
    """Say whether a line belongs to a site's footer."""
    return block.kind != "code" and len(block.text) < 200 and bool(_FOOTER.fullmatch(block.text))


def closes_article(block: Block) -> bool:
    """Say whether a line opens what follows an article: lists of others, comments, sharing."""
    return block.kind != "code" and bool(
        _ENDS.fullmatch(block.text[:_LONGEST_NOTE].strip("#* ：:|"))
    )


def is_notice(block: Block) -> bool:
    """Say whether a line is a note on origin and rights, as stands below articles."""
    is_line = block.kind != "code" and len(block.text) < _LONGEST_NOTE
    return is_line and bool(_NOTICE.fullmatch(block.text))


def is_promotion(block: Block) -> bool:
    """Say whether a line advertises the account or the site that publishes the article."""
    return block.kind != "code" and len(block.text) < 100 and bool(_PROMOTION.search(block.text))


def is_disclaimer(block: Block) -> bool:
    """Say whether a paragraph only says what the article must not be used for."""
    return (
        block.kind != "code" and len(block.text) < 600 and bool(_DISCLAIMER.fullmatch(block.text))
    )


def opens_disclaimer(block: Block) -> bool:
    """Say whether a line is the caption of a disclaimer."""
    return bool(_DISCLAIMER_CAPTION.fullmatch(block.text[:_LONGEST_NOTE]))


def is_address(block: Block) -> bool:
    """Say whether a line is a web address, or a link, and nothing else."""
    is_line = block.kind != "code" and len(block.text) < _LONGEST_NOTE
    return block.is_link or (is_line and bool(_ADDRESS.fullmatch(block.text)))


def opens_references(blocks: Sequence[Block]) -> bool:
    """Say whether blocks are a closing list of references: a caption, then mostly addresses."""
    if blocks[0].kind == "code" or not _REFERENCES.fullmatch(blocks[0].text[:_LONGEST_NOTE]):
        return False
    rest = [block for block in blocks[1:] if block.text]
    addresses = sum(
        bool(
            block.links or _URL_ONLY.search(block.text[:_LONGEST_NOTE]) or _ENTRY.match(block.text)
        )
        for block in rest
    )
    return addresses >= 0.5 * len(rest) or all(len(block.text) < 90 for block in rest)
