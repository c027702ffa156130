export const USAGE = `Usage: nestjs-tracking backlog <command> <path> [options]

Looks after the events of lmdbBacklog({ path }), while the app runs or after it died.

Commands
  stats   what waits and what is dead, by tracker and backend
  list    the events that wait, as JSON lines
  dead    the dead letters, as JSON lines
  replay  makes dead letters wait for delivery again; the running app, or the next one, delivers them
  drain   delivers what waits, as far as no running process has it in its care

Options
  --place <[tracker:]path>  only events of this backend
  --name <glob>             only events of this name: order.*     (list, dead, replay)
  --limit <n>               at most so many                       (list, dead)
  --reason <reason>         only dead letters of this reason      (dead, replay)
  --ids <id,...>            only events of these ids              (dead, replay)
  --from <time>             died at or after: 2026-01-31, 2026-01-31T12:00:00Z, or epoch milliseconds  (dead, replay)
  --to <time>               died at or before; a day ends at its end                                   (dead, replay)
  --topology <module>       exports the tracker's options (as default or \`options\`): delivers at once  (drain, replay)
  --timeout-ms <n>          how long to deliver; default: 60000   (drain, replay)
  --tracker <name>          the tracker's name; default: default  (drain, replay)
  --json                    the result as JSON
  --help                    shows this

Exit codes: 0 fine, 1 failed or something is left, 2 wrong usage.`;
