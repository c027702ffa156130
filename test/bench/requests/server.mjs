/*
 * One contender of the requests benchmark as a server of its own: `node server.mjs <name> <adapter> <url of the sink>`.
 * Asked over IPC: `listen` answers its port, `cpu` the microseconds of processor time used so far, everything that
 * waits having been sent.
 */
import 'reflect-metadata';
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { answerQuestions } from '../contender-process.mjs';
import { CONTENDERS } from './contenders.mjs';

const [, , name, adapterName, sinkUrl] = process.argv;
const contender = await CONTENDERS[name]({ sinkUrl });
const { handle, flush } = contender;

class DonationsController {
  donate(request) {
    handle?.(request);
    return { accepted: true };
  }
}
Reflect.decorate(
  [Get(':id/donations')],
  DonationsController.prototype,
  'donate',
  Object.getOwnPropertyDescriptor(DonationsController.prototype, 'donate'),
);
Req()(DonationsController.prototype, 'donate', 0);
Controller('runs')(DonationsController);

class AppModule {
  configure(consumer) {
    contender.configure(consumer);
  }
}
if (contender.configure === undefined) {
  delete AppModule.prototype.configure;
}
Module({
  imports: contender.imports ?? [],
  controllers: [DonationsController],
  providers: contender.providers ?? [],
})(AppModule);

const adapters = {
  Express: async () => new (await import('@nestjs/platform-express')).ExpressAdapter(),
  Fastify: async () => new (await import('@nestjs/platform-fastify')).FastifyAdapter(),
};
const app = await NestFactory.create(AppModule, await adapters[adapterName](), {
  logger: ['error'],
});
contender.prepare?.(app);
await app.listen(0, '127.0.0.1');
contender.onReady?.(app);
// Connections wait while the others have their turn.
app.getHttpServer().keepAliveTimeout = 0;

answerQuestions(async (question) => {
  if (question === 'listen') {
    return app.getHttpServer().address().port;
  }
  await flush?.();
  const { user, system } = process.cpuUsage();
  return user + system;
});
