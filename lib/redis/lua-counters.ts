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
 * `add` answers the new total; nothing, and changes nothing, when a value would no longer be exact. `firstDay` is that of
 * the month, or false for what concerns the total alone; lives are seconds, or 0 for ever.
 */
const ADD = `
local MAX = 9007199254740991
local function add(base, metric, by, firstDay, month, day, hour, dayLife, hourLife)
  local totals = base .. ':t'
  local total = call('HINCRBY', totals, metric, by)
  if total > MAX or total < -MAX then
    call('HINCRBY', totals, metric, -by)
    return nil
  end
  if not firstDay then return total end
  local days = base .. ':d:' .. month .. ':' .. metric
  local hours = base .. ':h:' .. day .. ':' .. metric
  local index = '#' .. (day - firstDay)
  local ofDay = call('BITFIELD', days, 'INCRBY', 'i64', index, by)[1]
  local ofHour = call('HINCRBY', hours, hour, by)
  if ofDay > MAX or ofDay < -MAX or ofHour > MAX or ofHour < -MAX then
    call('HINCRBY', totals, metric, -by)
    call('BITFIELD', days, 'INCRBY', 'i64', index, -by)
    call('HINCRBY', hours, hour, -by)
    return nil
  end
  if ofDay == by then
    call('HSET', base .. ':x:' .. metric, month, firstDay)
    if dayLife > 0 then call('EXPIRE', days, dayLife) end
  end
  if hourLife > 0 and ofHour == by then call('EXPIRE', hours, hourLife) end
  return total
end
`;

/**
 * JSON: operations, each a flat list of changes of nine: number of the base, metric, by, firstDay, month, day, hour,
 * dayLife, hourLife. Answers per operation the new totals (very large ones as texts), or the number of the change that
 * could not be made.
 */
export const INCREMENT = `${ONCE}${ADD}
local answers = {}
local operations = cjson.decode(ARGV[3])
for nth, changes in ipairs(operations) do
  local totals = {}
  for at = 1, #changes, 9 do
    local base, metric = KEYS[changes[at]], changes[at + 1]
    local total
    if isNew then
      total = add(base, metric, changes[at + 2], changes[at + 3], changes[at + 4],
        changes[at + 5], changes[at + 6], changes[at + 7], changes[at + 8])
    else
      total = tonumber(call('HGET', base .. ':t', metric) or 0)
    end
    if not total then
      for done = 1, at - 1, 9 do
        add(KEYS[changes[done]], changes[done + 1], -changes[done + 2], changes[done + 3],
          changes[done + 4], changes[done + 5], changes[done + 6], 0, 0)
      end
      totals = (at - 1) / 9
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

/** JSON: metric, value, firstDay, month, day, hour, dayLife, hourLife. Answers 1, or 0 when that is not exact. */
export const SET_DAY = `${ONCE}${ADD}
if not isNew then return 1 end
local metric, value, firstDay, month, day, hour, dayLife, hourLife = unpack(cjson.decode(ARGV[3]))
local before = call('BITFIELD', KEYS[1] .. ':d:' .. month .. ':' .. metric, 'GET', 'i64',
  '#' .. (day - firstDay))[1]
local by = value - before
if by > MAX or by < -MAX then return 0 end
return add(KEYS[1], metric, by, firstDay, month, day, hour, dayLife, hourLife) and 1 or 0
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
