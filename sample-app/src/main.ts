import process from 'node:process';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { requireDataFolder } from './boot/data-folder.js';
import { greeting } from './boot/greeting.js';
import { requireFreePort } from './boot/free-port.js';
import { StartError } from './boot/start-error.js';
import { StderrLogger } from './boot/stderr.logger.js';
import { readSettings } from './settings/settings.js';

/** Seen from this machine only: it is a sample, and its admin's token is printed. */
const HOST = '127.0.0.1';

/** Standard output belongs to the events, one JSON line each; whatever else there is to say goes to standard error. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  await requireFreePort('PORT', settings.port, HOST);
  await requireFreePort('COLLECTOR_PORT', settings.collectorPort ?? 0, HOST);
  requireDataFolder(settings.dataDir);
  const app = await NestFactory.create(AppModule.configure(settings), {
    logger: new StderrLogger(),
  });
  // Without these hooks the events of the last moments are lost. To exit is to end with code 0: it was asked for.
  app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
  await app.listen(settings.port, HOST);
  say(greeting(await app.getUrl(), settings.adminToken));
}

// Whoever read the events may leave ("npm start | head"): no reason to end the app.
process.stdout.on('error', () => undefined);

try {
  await start();
} catch (error) {
  say(error instanceof StartError ? error.message : String(error));
  process.exit(1);
}
