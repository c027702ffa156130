/** What a command is made of. */
export type RedisArgument = string | number;

/** An ioredis client, `Redis` or `Cluster`, as far as it is used here. */
export interface RedisClient {
  call(command: string, args: RedisArgument[]): Promise<unknown>;
  callBuffer(command: string, args: RedisArgument[]): Promise<unknown>;
  quit(): Promise<unknown>;
  disconnect(): void;
  readonly isCluster?: boolean;
  readonly options?: { readonly keyPrefix?: string | undefined };
  /** Of a cluster. */
  nodes?(role: 'master'): RedisClient[];
}
