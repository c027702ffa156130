/** What `npm start` ends with. The three commands work as they are, one after the other, in one other shell. */
export function greeting(url: string, adminToken: string): string {
  return `
The donation marathon runs on ${url}, Ctrl-C ends it.
Its events appear here, one JSON line each. Try in another shell:

  ${signIn(url)}
  ${donate(url)}
  ${readTotals(url, adminToken)}

Only the events go to standard output: "npm start --silent | jq" shows them in colour.
What they add up to: curl -s ${url}/stats.txt
What has arrived at the collector, another process, is told here too: stop it with the last line and -X POST at
${url}/collector/stop, donate, and start it again at ${url}/collector/start.
What becomes of them: the same as the last line, at ${url}/admin/stats.
`;
}

/** Takes the token, the only value of the answer, into a variable of the shell. */
function signIn(url: string): string {
  return `TOKEN=$(curl -s ${url}/sign-in ${json({ name: 'Ada', email: 'ada@example.org' })} | cut -d'"' -f4)`;
}

function donate(url: string): string {
  return `curl -s ${url}/runs/celeste/donations -H "Authorization: Bearer $TOKEN" ${json({ amountCents: 2500, comment: 'Save the frames!' })}`;
}

function readTotals(url: string, adminToken: string): string {
  return `curl -s ${url}/admin/totals -H 'Authorization: Bearer ${adminToken}'`;
}

function json(body: object): string {
  return `-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}
