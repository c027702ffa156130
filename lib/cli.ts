#!/usr/bin/env node
/** The program `nestjs-tracking`: `npx nestjs-tracking backlog stats|list|dead|replay|drain`. */
import { main } from './cli/main.js';

main();
