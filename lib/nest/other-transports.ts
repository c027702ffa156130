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
      functionsOf(providers).some((made) => Reflect.hasMetadata(GATEWAY, made)) ||
      functionsOf(controllers).some(hasMessageHandlers),
  );
}

interface Made {
  readonly metatype: unknown;
}

/** The classes and factories that instances are made with. */
function functionsOf(wrappers: Map<unknown, Made>): MadeBy[] {
  return [...wrappers.values()]
    .map(({ metatype }) => metatype)
    .filter((metatype): metatype is MadeBy => typeof metatype === 'function');
}

type MadeBy = (...args: never[]) => unknown;

function hasMessageHandlers(controller: MadeBy): boolean {
  const prototype = controller.prototype as Record<string, object>;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .some((name) => Reflect.hasMetadata(MESSAGE_PATTERN, prototype[name] as object));
}
