"""Rates that several servers count together, in Redis; each by itself where it is away.

A server also counts for itself what it has granted, and grants nothing beyond the limit by that: so with Redis away, or
come back empty, all servers together grant at most as many times the limit as there are servers.
"""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from tamis.engine.ports.rates import Claim, Decision
from tamis.storage.rates.memory import MemoryRates
from tamis.storage.rates.window import PARTS, SLACK, Window
from tamis.storage.redis_link import RedisAwayError, RedisLink

_DIGEST_BYTES = 16
# KEYS: a window each.  ARGV: take, charge or look; seconds, or '' for the server's; of each window_s, amount, limit.
# The parts of each window are settled and added to as `Window` does it. Where the server's clock was set back, they are
# set back with it: nobody is locked out, and nothing is given back early.
_SCRIPT = f"""
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
local windows, is_granted = {{}}, true
for place, key in ipairs(KEYS) do
  local at = 3 * place
  local window_s, amount, limit = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local part_s, kept = window_s / {PARTS}, redis.call('GET', key)
  local window = kept and cjson.decode(kept) or {{at = now, parts = {{}}}}
  local back, used, parts = math.max(0, math.floor((window.at - now) / part_s)), 0, {{}}
  for _, part in ipairs(window.parts) do
    local number = part[1] - back
    if (number + 1) * part_s + window_s > now then
      parts[#parts + 1] = {{number, part[2]}}
      used = used + part[2]
    end
  end
  is_granted = is_granted and used + amount - limit <= {SLACK:.9f}
  windows[place] = {{key = key, parts = parts, amount = amount, part_s = part_s, window_s = window_s, back = back}}
end
local is_taken = ARGV[1] == 'charge' or (ARGV[1] == 'take' and is_granted)
local answer = {{(is_granted or ARGV[1] == 'charge') and 1 or 0, string.format('%.17g', now)}}
for place, window in ipairs(windows) do
  local parts = window.parts
  if is_taken and window.amount > 0 then
    local number, last = math.floor(now / window.part_s), parts[#parts]
    if last and last[1] >= number then
      last[2] = last[2] + window.amount
    else
      parts[#parts + 1] = {{number, window.amount}}
    end
    window.is_new = true
  end
  if window.is_new or window.back > 0 then
    local kept_ms = math.ceil((window.window_s + 2 * window.part_s) * 1000)
    redis.call('SET', window.key, cjson.encode({{at = now, parts = parts}}), 'PX', kept_ms)
  end
  answer[2 + place] = #parts > 0 and cjson.encode(parts) or '[]'
end
return answer
"""


class RedisRates:
    """By the clock of Redis' machine, so that servers' clocks need not agree."""

    def __init__(self, link: RedisLink, clock: Callable[[], float] | None = None, capacity: int = 100_000) -> None:
        """clock: seconds, instead of Redis' and of this process'.  capacity: as of `MemoryRates`, of the own count."""
        self._link = link
        self._clock = clock
        self._script = link.client.register_script(_SCRIPT)
        self._own = MemoryRates(capacity, clock or time.monotonic)

    async def take(self, claims: Sequence[Claim]) -> Decision:
        own = await self._own.look(claims)
        if not own.is_granted or not claims:
            return own
        try:
            decision = await self._run("take", claims)
        except RedisAwayError:
            return await self._own.take(claims)
        if decision.is_granted:
            await self._own.charge(claims)
        return decision

    async def charge(self, claims: Sequence[Claim]) -> Decision:
        own = await self._own.charge(claims)
        if not claims:
            return own
        try:
            return await self._run("charge", claims)
        except RedisAwayError:
            return own

    async def look(self, claims: Sequence[Claim]) -> Decision:
        own = await self._own.look(claims)
        if not own.is_granted or not claims:
            return own
        try:
            return await self._run("look", claims)
        except RedisAwayError:
            return own

    async def close(self) -> None:
        await self._own.close()

    async def _run(self, mode: str, claims: Sequence[Claim]) -> Decision:
        keys = [self._key(claim) for claim in claims]
        now = "" if self._clock is None else repr(self._clock())
        numbers = [part for one in claims for part in (one.rate.window_s, one.amount, one.rate.limit)]
        arguments = [mode, now, *map(repr, numbers)]
        told: list[Any] = await self._link.ask(lambda client: self._script(keys, arguments, client))
        is_taken, at = mode == "charge" or (mode == "take" and bool(told[0])), float(told[1])
        standings = [
            Window(claim.rate.window_s, orjson.loads(parts)).standing(at, claim, is_taken=is_taken)
            for claim, parts in zip(claims, told[2:], strict=True)
        ]
        return Decision(bool(told[0]), tuple(standings))

    def _key(self, claim: Claim) -> str:
        """Subjects name visitors' addresses, which are nobody's business there."""
        digest = blake2b(f"{claim.rate.window_s}:{claim.subject}".encode(), digest_size=_DIGEST_BYTES)
        return f"{self._link.prefix}rate:{digest.hexdigest()}"
