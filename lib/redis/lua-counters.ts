/*
 * Scripts about counters. KEYS are bases, see `redis-keys.ts`; ARGV[1] names the set of this writer's latest writes,
 * ARGV[2] is the number of this one in it, ARGV[3] is JSON.
 *
 * Invariants
 * - A change that leads beyond the safe integers, and every earlier one of its operation, is undone before the script
 *   ends: nobody sees it.
 * - A write that was done before changes nothing; it answers the present totals.
 */

/** Notes the write; `isNew` is false when it was done before. */
export const ONCE = `
local call = redis.call
local once = KEYS[1] .. ':o:' .. ARGV[1]
local isNew = call('SADD', once, ARGV[2]) == 1
if isNew then call('EXPIRE', once, 900) end
`;

/**
 * `add` answers the new total; nothing, and changes nothing, when a value would no longer be exact. `at` is a moment, or
 * false for what concerns the total alone: index of the day in its month (`#14`), `:d:<month>:`, `:h:<day>:`, hour, month,
 * first day of the month, life of days and of hours in seconds (0 for ever). Numbers come as texts wherever they become
 * arguments: making them here would take longer than what is done with them.
 */
const ADD = `
local MAX = 9007199254740991
local function add(base, metric, by, at)
  local totals = base .. ':t'
  local total = call('HINCRBY', totals, metric, by)
  local exact = total <= MAX and total >= -MAX
  if not at and exact then return total end
  local days, hours, ofDay, ofHour
  if at then
    days, hours = base .. at[2] .. metric, base .. at[3] .. metric
    ofDay = call('BITFIELD', days, 'INCRBY', 'i64', at[1], by)[1]
    ofHour = call('HINCRBY', hours, at[4], by)
    exact = exact and ofDay <= MAX and ofDay >= -MAX and ofHour <= MAX and ofHour >= -MAX
  end
  if not exact then
    local back = string.format('%.0f', -by)
    call('HINCRBY', totals, metric, back)
    if at then
      call('BITFIELD', days, 'INCRBY', 'i64', at[1], back)
      call('HINCRBY', hours, at[4], back)
    end
    return nil
  end
  local first = tonumber(by)
  if ofDay == first then
    call('HSET', base .. ':x:' .. metric, at[5], at[6])
    if at[7] > 0 then call('EXPIRE', days, at[7]) end
  end
  if ofHour == first and at[8] > 0 then call('EXPIRE', hours, at[8]) end
  return total
end
`;

/**
 * JSON: moments, and operations, each a flat list of changes of four: number of the base, metric, by, number of the
 * moment or 0. Answers per operation the new totals (very large ones as texts), or the number of the change that could
 * not be made.
 */
export const INCREMENT = `${ONCE}${ADD}
local answers = {}
local moments, operations = unpack(cjson.decode(ARGV[3]))
for nth, changes in ipairs(operations) do
  local totals = {}
  for at = 1, #changes, 4 do
    local base, metric = KEYS[changes[at]], changes[at + 1]
    local total
    if isNew then
      total = add(base, metric, changes[at + 2], moments[changes[at + 3]])
    else
      total = tonumber(call('HGET', base .. ':t', metric) or 0)
    end
    if not total then
      for done = 1, at - 1, 4 do
        local back = string.format('%.0f', -changes[done + 2])
        add(KEYS[changes[done]], changes[done + 1], back, moments[changes[done + 3]])
      end
      totals = (at - 1) / 4
      if #operations == 1 then call('SREM', once, ARGV[2]) end
      break
    end
    -- Clients read very large integers as fractions do: not exactly.
    if total > 1e15 or total < -1e15 then total = string.format('%.0f', total) end
    totals[#totals + 1] = total
  end
  answers[nth] = totals
end
return answers
`;

/** JSON: metric, value, moment. Answers 1, or 0 when that is not exact. */
export const SET_DAY = `${ONCE}${ADD}
if not isNew then return 1 end
local metric, value, at = unpack(cjson.decode(ARGV[3]))
local before = call('BITFIELD', KEYS[1] .. at[2] .. metric, 'GET', 'i64', at[1])[1]
local by = value - before
if by > MAX or by < -MAX then return 0 end
return add(KEYS[1], metric, string.format('%.0f', by), at) and 1 or 0
`;

/** ARGV: metric, first and last day. Answers the days that have hours, each followed by its hours and values. */
export const READ_HOURS = `
local found = {}
for day = ARGV[2], ARGV[3] do
  local hours = redis.call('HGETALL', KEYS[1] .. ':h:' .. day .. ':' .. ARGV[1])
  if #hours > 0 then
    found[#found + 1] = day
    found[#found + 1] = table.concat(hours, ',')
  end
end
return found
`;
