import { ONCE } from './lua-counters.js';

/*
 * Scripts about members, facts and clearing; see `redis-keys.ts` for the keys. Facts, as counters, are written once.
 */

/** Members of a day that are kept exactly, whatever else there is. */
const EXACT = 1_000;

/**
 * ARGV[1]: JSON of groups, each: number of the base, metric, day, life, then hashes as texts. Every member goes into a
 * HyperLogLog, so that nothing has to be moved when a day has too many to be kept exactly.
 */
export const ADD_MEMBERS = `
local call = redis.call
for _, group in ipairs(cjson.decode(ARGV[1])) do
  local base, metric, day, life = KEYS[group[1]], group[2], group[3], group[4]
  local index, name = base .. ':y:' .. metric, day .. ':' .. metric
  local exact = base .. ':u:' .. name
  local state = call('HGET', index, day)
  if not state then
    state = '1'
    call('HSET', index, day, state)
    call('SADD', base .. ':r', 'u' .. metric)
  end
  for at = 5, #group do
    local hash = group[at]
    local sketch = base .. ':l:' .. (string.byte(hash, -1) % 4) .. ':' .. name
    if call('PFADD', sketch, hash) == 1 and life > 0 then call('EXPIRE', sketch, life) end
    if state == '1' and call('SADD', exact, hash) == 1 then
      if life > 0 then call('EXPIRE', exact, life) end
      if call('SCARD', exact) > ${EXACT} then
        state = '2'
        call('HSET', index, day, state)
        call('UNLINK', exact)
      end
    end
  end
end
`;

/**
 * ARGV: metric, first and last day. The sum of four sketches errs half as much as one would. They also tell whether it is
 * worth while to look at the members themselves.
 */
export const COUNT_MEMBERS = `
local call = redis.call
local from, to = tonumber(ARGV[2]), tonumber(ARGV[3])
local isExact, exact, sketches = true, {}, { {}, {}, {}, {} }
local states = call('HGETALL', KEYS[1] .. ':y:' .. ARGV[1])
for at = 1, #states, 2 do
  local day = tonumber(states[at])
  if day >= from and day <= to then
    local name = states[at] .. ':' .. ARGV[1]
    isExact = isExact and states[at + 1] == '1'
    exact[#exact + 1] = KEYS[1] .. ':u:' .. name
    for n = 0, 3 do
      local keys = sketches[n + 1]
      keys[#keys + 1] = KEYS[1] .. ':l:' .. n .. ':' .. name
    end
  end
end
if #exact == 0 then return 0 end
local count = 0
for n = 1, 4 do count = count + call('PFCOUNT', unpack(sketches[n])) end
if isExact and count <= ${EXACT * 1.1} then return #call('SUNION', unpack(exact)) end
return count
`;

/**
 * ARGV[3]: JSON of records, each: number of the base, key, moment, JSON, moment before which facts are removed (or 0).
 * Answers the numbers of the records whose subject had no facts of their key.
 */
export const RECORD = `${ONCE}
local first = {}
if not isNew then return first end
for nth, record in ipairs(cjson.decode(ARGV[3])) do
  local base, key = KEYS[record[1]], record[2]
  local facts = base .. ':f:' .. key
  local number = string.format('%016.0f', call('INCR', base .. ':q'))
  if call('SADD', base .. ':r', 'f' .. key) == 1 then first[#first + 1] = nth - 1 end
  local moment = string.format('%.0f', record[3])
  call('ZADD', facts, moment, number .. moment .. ' ' .. record[4])
  if record[5] ~= 0 then
    call('ZREMRANGEBYSCORE', facts, '-inf', '(' .. string.format('%.0f', record[5]))
  end
end
return first
`;

/** ARGV: nothing, or the metric (or key) that is to be forgotten. */
export const CLEAR = `
local call = redis.call
local base, only = KEYS[1], ARGV[1]
local function forget(metric)
  local months = call('HGETALL', base .. ':x:' .. metric)
  for at = 1, #months, 2 do
    local keys = { base .. ':d:' .. months[at] .. ':' .. metric }
    for day = months[at + 1], months[at + 1] + 30 do
      keys[#keys + 1] = base .. ':h:' .. string.format('%.0f', day) .. ':' .. metric
    end
    call('UNLINK', unpack(keys))
  end
  for _, day in ipairs(call('HKEYS', base .. ':y:' .. metric)) do
    local name = day .. ':' .. metric
    call('UNLINK', base .. ':u:' .. name, base .. ':l:0:' .. name, base .. ':l:1:' .. name,
      base .. ':l:2:' .. name, base .. ':l:3:' .. name)
  end
  call('UNLINK', base .. ':x:' .. metric, base .. ':y:' .. metric, base .. ':f:' .. metric)
  call('HDEL', base .. ':t', metric)
  call('SREM', base .. ':r', 'u' .. metric, 'f' .. metric)
end
if only then
  forget(only)
else
  for _, metric in ipairs(call('HKEYS', base .. ':t')) do forget(metric) end
  for _, name in ipairs(call('SMEMBERS', base .. ':r')) do forget(string.sub(name, 2)) end
end
if call('EXISTS', base .. ':r') == 0 then call('UNLINK', base .. ':q') end
`;
