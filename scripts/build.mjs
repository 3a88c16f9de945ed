// Compiles the product to dist/ and puts beside it what is not TypeScript: the SQL migrations and the WebAssembly kernels.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { buildKernels } from './kernels.mjs';

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
cpSync('src/database/migrations', 'dist/src/database/migrations', { recursive: true });
for (const kernel of await buildKernels()) cpSync(kernel, `dist/${kernel}`);
chmodSync('dist/src/main.js', 0o755);
// its age is that of the build; without it, the build was interrupted
writeFileSync('dist/built', '');
