import type { ModulesContainer } from '@nestjs/core';
import { MetadataScanner } from '@nestjs/core';

/** Where Nest's packages leave their mark: on the class of a gateway, on the methods of a microservice. */
const GATEWAY = 'websockets:is_gateway';
const MESSAGE_PATTERN = 'microservices:pattern';
const GRAPHQL_MODULE = 'GraphQLModule';

/** Whether an app has handlers that HTTP's hooks do not see: resolvers, gateways, message handlers. */
export function hasOtherTransports(modules: ModulesContainer): boolean {
  return [...modules.values()].some(
    ({ metatype, providers, controllers }) =>
      metatype.name === GRAPHQL_MODULE ||
      [...providers.values()].some((provider) =>
        isGateway(provider.metatype),
      ) ||
      [...controllers.values()].some((controller) =>
        hasMessageHandlers(controller.metatype),
      ),
  );
}

function isGateway(metatype: unknown): boolean {
  return (
    typeof metatype === 'function' && Reflect.hasMetadata(GATEWAY, metatype)
  );
}

function hasMessageHandlers(metatype: unknown): boolean {
  if (typeof metatype !== 'function') {
    return false;
  }
  const prototype = metatype.prototype as Record<string, object>;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .some((name) =>
      Reflect.hasMetadata(MESSAGE_PATTERN, prototype[name] as object),
    );
}
