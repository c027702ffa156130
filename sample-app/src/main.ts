import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { Settings } from './settings.js';

/** Standard output belongs to the events, one JSON line each: everything else goes to standard error. */
function print(message: unknown): void {
  console.error(message);
}

const app = await NestFactory.create(AppModule, {
  // Browsers keep connections open that a shutdown would otherwise wait for.
  forceCloseConnections: true,
  logger: { log: () => undefined, warn: print, error: print },
});
// Without these hooks SIGTERM ends the process before the last events are delivered.
app.enableShutdownHooks();

// Reached from this machine only.
await app.listen(app.get(Settings).port, '127.0.0.1');

const url = await app.getUrl();
const json = `-H 'Content-Type: application/json' -d`;
print(`
The donation marathon runs on ${url}, Ctrl-C ends it.
Its events appear here, one JSON line each. Try in another shell:

  TOKEN=$(curl -s ${url}/sign-in ${json} '{"name":"Ada","email":"ada@example.org"}' | cut -d'"' -f4)
  curl -s ${url}/runs/celeste/donations -H "Authorization: Bearer $TOKEN" ${json} '{"amountCents":2500}'
  curl -s '${url}/stats?by=week'
`);
