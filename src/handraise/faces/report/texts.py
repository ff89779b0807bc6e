"""Every visible string of the report, in English and Chinese, and how numbers and days are written.

A text with `{name}` takes a person or account; these are data and are escaped when the sentence is made.
A text in two forms ends in `_one` and `_many`; `counted` picks by the number.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from markupsafe import Markup, escape

FALLBACK: Final = "en"
MINUS: Final = "\N{MINUS SIGN}"

_EN: Final[dict[str, str]] = {
    "title": "Who deserves a salesperson, {date}",
    "skip": "Skip to the accounts",
    "product": "handraise",
    "as_of": "As of {date}",
    "as_of_note": "Counts what happened before {date}, 00:00 UTC.",
    "simulated": "Simulated data",
    "simulated_note": "These companies and people do not exist. They come from the handraise simulator.",
    "headline_none": "No account needs a salesperson today",
    "headline_one": "1 account deserves a salesperson today",
    "headline_many": "{n} accounts deserve a salesperson today",
    "headline_empty": "No account has been scored yet",
    "more": "{n} more than on {date}.",
    "fewer": "{n} fewer than on {date}.",
    "same": "As many as on {date}.",
    "leads": "{name} leads with {points} points.",
    "rose_most": "{name} rose most this week: {points}.",
    "rose_most_too": "It also rose most this week: {points}.",
    "scored": "Scored from {events} events: {accounts} accounts, {people} people.",
    "nav": "On this page",
    "nav_tiers": "Tiers",
    "nav_calls": "Call list",
    "nav_accounts": "Receipts",
    "nav_risen": "Rising",
    "nav_people": "People",
    "nav_blind": "Blind spots",
    "tiers_title": "Where the accounts stand",
    "tiers_empty": "There are no tier counts for this day.",
    "tier": "Tier {n}",
    "tier_named": "Tier {n}: {name}",
    "tier_sells": "for sales",
    "tier_share": "{share} of all",
    "accounts_one": "account",
    "accounts_many": "accounts",
    "change": "{change} since {date}",
    "no_change": "no change since {date}",
    "bars_title": "Accounts per tier",
    "trend_title": "Accounts for sales over time",
    "trend_label": "Accounts in the selling tiers: {first} on {first_day}, {last} on {last_day}.",
    "trend_empty": "One day only so far. Score an earlier or a later day as well, and the trend appears here.",
    "trend_table": "All tiers, every day, as a table",
    "trend_caption": "Accounts per tier on each scored day",
    "day": "Day",
    "calls_title": "Who to call, in this order",
    "calls_caption": "Best accounts with their reasons and the person to talk to",
    "calls_note": "The best {shown} of the {all} accounts in the tiers for sales.",
    "calls_empty": "None of the best accounts is in a tier for sales. Leave them to the product for now.",
    "top_empty": "No account has points yet. As soon as people use the product, the best accounts appear here.",
    "account": "Account",
    "why": "Why",
    "talk_to": "Talk to",
    "find_buyer": "find the buyer first",
    "hand_only": "nobody, unless they ask",
    "score": "Score",
    "points_word": "points",
    "in_7_days": "{points} in 7 days",
    "is_new": "new this week",
    "receipts_title": "Why they score: the receipts",
    "receipts_note": "Each bar starts where the one before ended. Together they are the score, with nothing left out.",
    "pqa": "PQA",
    "pqa_hint": "product-qualified account",
    "pql": "PQL",
    "pql_hint": "product-qualified lead",
    "buyer": "Buyer",
    "active_one": "1 person active in 30 days",
    "active_many": "{n} people active in 30 days",
    "segment": "{name} by size",
    "segment_guess": "{name} by size, guessed from active people",
    "action": "What to do",
    "advice_talk": "Start with {name}.",
    "advice_pqls": "It has {n} PQLs; none is among its strongest people listed here.",
    "advice_find_buyer": "Nobody here is a PQL yet. Find the person who can buy; do not pitch the users.",
    "advice_hand": "Companies of this size serve themselves: answer in person only when somebody raises a hand.",
    "tier_alone": "Its tier alone would ask for: {action}.",
    "receipt_of": "Why {points} points",
    "parts": "{people} from its people, {account} from the account, {fit} from company fit",
    "total": "Score",
    "rest": "not itemised in this receipt",
    "no_lines": "No signal has given this account points.",
    "as_table": "The same as a table",
    "receipts_empty": "There is no score to explain yet.",
    "receipt_caption": "Receipt of {name}",
    "reason": "Reason",
    "signal": "Signal",
    "category": "Group",
    "measured": "Measured",
    "points": "Points",
    "running": "Sum so far",
    "blind_value": "not seen",
    "account_people": "People",
    "pqls_none": "no PQL",
    "pqls_one": "1 PQL",
    "pqls_many": "{n} PQLs",
    "account_people_empty": "No person of this account is listed.",
    "no_name": "Name not known",
    "risen_title": "What rose this week",
    "risen_empty": "No account gained points in the last 7 days.",
    "risen_now": "now {points} points, {tier}",
    "risen_why": "Its largest reasons today",
    "people_title": "The people behind it",
    "bands_title": "People per band",
    "top_people_title": "Strongest people",
    "top_people_caption": "Strongest people with their account, band and score",
    "top_people_empty": "Nobody has points yet.",
    "person": "Person",
    "band": "Band",
    "behaviour": "{points} from behaviour",
    "blind_title": "What we could not see, and what to add",
    "blind_note_one": "1 signal of the playbook had no data. It counted neither for nor against anybody.",
    "blind_note_many": "{n} signals of the playbook had no data. They counted neither for nor against anybody.",
    "blind_empty": "Nothing was hidden: every signal of the playbook had the data it needs.",
    "how_title": "How a score is made",
    "how_signals": (
        "Every signal measures one thing people did, or one fact about their company, and gives points by a ladder. "
        "Only the highest rung reached counts."
    ),
    "how_account": (
        "An account's score is what its people earned by their behaviour, plus the account's own signals, plus how "
        "well the company fits, counted once."
    ),
    "how_tier": "A tier asks for breadth as well as points, so one busy user does not make a company ready to buy.",
    "how_same": "The same facts and the same playbook give the same numbers, on any later day.",
    "words_title": "Words",
    "word_pqa": "Product-qualified account: its tier is one that sales works on.",
    "word_pql": "Product-qualified lead: a known person in a selling band who can buy.",
    "word_buyer": "Somebody whose role can sign or buy.",
    "playbook": "Playbook",
    "made_by": "Made by handraise, open-source product-led sales.",
}

_ZH: Final[dict[str, str]] = {
    "title": "谁值得销售跟进，{date}",
    "skip": "跳到账户列表",
    "product": "handraise",
    "as_of": "截至 {date}",
    "as_of_note": "统计 {date} 00:00（UTC）之前发生的一切。",
    "simulated": "模拟数据",
    "simulated_note": "这些公司和人员并不存在，由 handraise 模拟器生成。",
    "headline_none": "今天没有账户需要销售跟进",
    "headline_one": "今天有 1 个账户值得销售跟进",
    "headline_many": "今天有 {n} 个账户值得销售跟进",
    "headline_empty": "还没有任何账户被评分",
    "more": "比 {date}多 {n} 个。",
    "fewer": "比 {date}少 {n} 个。",
    "same": "与 {date}持平。",
    "leads": "{name} 以 {points} 分居首。",
    "rose_most": "{name} 本周上升最多：{points}。",
    "rose_most_too": "它也是本周上升最多的：{points}。",
    "scored": "依据 {events} 个事件，评出 {accounts} 个账户、{people} 人。",
    "nav": "本页内容",
    "nav_tiers": "层级",
    "nav_calls": "联系顺序",
    "nav_accounts": "得分明细",
    "nav_risen": "上升",
    "nav_people": "人员",
    "nav_blind": "盲区",
    "tiers_title": "账户分布",
    "tiers_empty": "这一天没有层级统计。",
    "tier": "第 {n} 层",
    "tier_named": "第 {n} 层：{name}",
    "tier_sells": "销售跟进",
    "tier_share": "占全部 {share}",
    "accounts_one": "个账户",
    "accounts_many": "个账户",
    "change": "较 {date} {change}",
    "no_change": "与 {date}持平",
    "bars_title": "各层级账户数",
    "trend_title": "值得跟进的账户走势",
    "trend_label": "销售层级的账户数：{first_day} {first} 个，{last_day} {last} 个。",
    "trend_empty": "目前只有一天的数据。再给更早或更晚的一天评分，这里就会出现走势。",
    "trend_table": "所有层级逐日数据（表格）",
    "trend_caption": "每个评分日各层级的账户数",
    "day": "日期",
    "calls_title": "先联系谁",
    "calls_caption": "最值得跟进的账户、理由与联系人",
    "calls_note": "销售层级共有 {all} 个账户，这里列出最好的 {shown} 个。",
    "calls_empty": "得分最高的账户都还不在销售层级，暂时交给产品自助培育。",
    "top_empty": "还没有账户得分。一旦有人使用产品，最好的账户就会出现在这里。",
    "account": "账户",
    "why": "理由",
    "talk_to": "联系人",
    "find_buyer": "先找到决策人",
    "hand_only": "除非对方主动，否则不联系",
    "score": "得分",
    "points_word": "分",
    "in_7_days": "7 天 {points}",
    "is_new": "本周新增",
    "receipts_title": "为什么得分：逐项明细",
    "receipts_note": "每一条从上一条的终点开始，合起来就是得分，没有遗漏。",
    "pqa": "PQA",
    "pqa_hint": "产品合格账户",
    "pql": "PQL",
    "pql_hint": "产品合格线索",
    "buyer": "决策人",
    "active_one": "30 天内 1 人活跃",
    "active_many": "30 天内 {n} 人活跃",
    "segment": "规模：{name}",
    "segment_guess": "规模：{name}（按活跃人数推测）",
    "action": "该做什么",
    "advice_talk": "先联系 {name}。",
    "advice_pqls": "该账户有 {n} 个 PQL，但不在此处列出的人员之中。",
    "advice_find_buyer": "这里还没有 PQL。先找到能拍板的人，不要向普通用户推销。",
    "advice_hand": "这一规模的公司走自助路线：只有对方主动求助时才由专人答复。",
    "tier_alone": "若只看层级，做法是：{action}。",
    "receipt_of": "为什么是 {points} 分",
    "parts": "人员 {people} 分，账户信号 {account} 分，公司匹配 {fit} 分",
    "total": "得分",
    "rest": "明细中未列出",
    "no_lines": "还没有信号给该账户加分。",
    "as_table": "以表格查看",
    "receipts_empty": "还没有需要解释的得分。",
    "receipt_caption": "{name} 的得分明细",
    "reason": "理由",
    "signal": "信号",
    "category": "类别",
    "measured": "测得",
    "points": "分数",
    "running": "累计",
    "blind_value": "未观测到",
    "account_people": "人员",
    "pqls_none": "没有 PQL",
    "pqls_one": "1 个 PQL",
    "pqls_many": "{n} 个 PQL",
    "account_people_empty": "没有列出该账户的人员。",
    "no_name": "姓名未知",
    "risen_title": "本周上升",
    "risen_empty": "过去 7 天没有账户得分上升。",
    "risen_now": "现为 {points} 分，{tier}",
    "risen_why": "目前最主要的理由",
    "people_title": "背后的人",
    "bands_title": "各热度人数",
    "top_people_title": "得分最高的人",
    "top_people_caption": "得分最高的人及其账户、热度与得分",
    "top_people_empty": "还没有人得分。",
    "person": "人员",
    "band": "热度",
    "behaviour": "行为 {points} 分",
    "blind_title": "我们没能看到什么，该补充什么",
    "blind_note_one": "方案中有 1 个信号缺少数据，对任何人都既不加分也不减分。",
    "blind_note_many": "方案中有 {n} 个信号缺少数据，对任何人都既不加分也不减分。",
    "blind_empty": "没有盲区：方案中的每个信号都有所需的数据。",
    "how_title": "得分是怎么来的",
    "how_signals": "每个信号衡量人们做过的一件事，或公司的一个事实，并按阶梯给分，只计达到的最高一级。",
    "how_account": "账户得分 = 其人员凭行为赢得的分数 + 账户自身的信号 + 公司匹配度（只计一次）。",
    "how_tier": "层级不仅看分数，也看广度，因此一个活跃用户不足以代表整家公司准备购买。",
    "how_same": "同样的事实、同样的方案，任何时候重算都得到同样的数字。",
    "words_title": "名词",
    "word_pqa": "产品合格账户：其层级由销售跟进。",
    "word_pql": "产品合格线索：身份已知、热度达标且有购买权的人。",
    "word_buyer": "其职务可以签约或采购的人。",
    "playbook": "方案",
    "made_by": "由开源的产品驱动销售系统 handraise 生成。",
}

TEXTS: Final[dict[str, dict[str, str]]] = {"en": _EN, "zh": _ZH}

_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "smb": "Small business",
        "mid_market": "Mid-market",
        "firmographic": "Company fit",
        "absence": "Warning sign",
    },
    "zh": {
        "enterprise": "大型企业",
        "mid_market": "中型企业",
        "smb": "小型企业",
        "individual": "个人",
        "hot": "热",
        "warm": "温",
        "emerging": "萌芽",
        "none": "低",
        "people": "人员",
        "feature_usage": "功能使用",
        "collaboration": "协作",
        "velocity": "节奏",
        "intent": "意向",
        "firmographic": "公司匹配",
        "absence": "警示",
        "adoption": "普及",
        "growth": "增长",
        "buying": "采购",
    },
}

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def known_language(language: str) -> str:
    """The language of TEXTS nearest to what the overview asks for: `zh-CN` is zh, anything unknown is English."""
    base = language.partition("-")[0].lower()
    return base if base in TEXTS else FALLBACK


def word(name: str, language: str) -> str:
    """A playbook's name for a tier, band, segment or category, as a reader would write it."""
    spaced = name.replace("_", " ").strip() or name
    return _WORDS[language].get(name, spaced[:1].upper() + spaced[1:])


def counted(texts: dict[str, str], key: str, n: int) -> str:
    """The sentence for n things: `_one`, `_many`, or `_none` where the texts have one."""
    if n == 0 and f"{key}_none" in texts:
        return texts[f"{key}_none"]
    return texts[f"{key}_one" if n == 1 else f"{key}_many"].format(n=number(n))


def sentence(text: str, **values: object) -> Markup:
    """A text of this module filled with data; every value that is not markup already is escaped."""
    return escape(text).format(**values)


def number(value: float) -> str:
    """A figure with separators, at most two decimals and a true minus sign."""
    plain = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")
    return plain.replace("-", MINUS)


def signed(value: int) -> str:
    """Points with their sign, also when they are positive."""
    return f"+{number(value)}" if value > 0 else number(value)


def percent(part: int, whole: int) -> str:
    """A share for reading: whole percents, and `<1%` instead of a misleading zero."""
    if part <= 0 or whole <= 0:
        return "0%"
    share = 100 * part / whole
    return "<1%" if share < 1 else f"{share:.0f}%"


def long_day(day: date, language: str) -> str:
    """A day in full: 28 October 2026."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_day(day: date, language: str) -> str:
    """A day for an axis, where the year is plain from the context: 28 Oct."""
    if language == "zh":
        return f"{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"
