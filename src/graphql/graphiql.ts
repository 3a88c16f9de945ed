/** GraphiQL at `/`, served from the installed packages: nothing is fetched from elsewhere. */
import { dirname, join } from 'node:path';
import { Router, type RequestHandler } from 'express';
import helmet from 'helmet';
import { GRAPHIQL_PAGE, GRAPHIQL_START, GRAPHIQL_STYLE } from './graphiql-page';

function files(): Record<string, string> {
  return {
    'react.js': join(dirname(require.resolve('react/package.json')), 'umd', 'react.production.min.js'),
    'react-dom.js': join(dirname(require.resolve('react-dom/package.json')), 'umd', 'react-dom.production.min.js'),
    'graphql-ws.js': join(dirname(require.resolve('graphql-ws/package.json')), 'umd', 'graphql-ws.min.js'),
    'graphiql.js': join(dirname(require.resolve('graphiql/package.json')), 'graphiql.min.js'),
    'graphiql.css': join(dirname(require.resolve('graphiql/package.json')), 'graphiql.min.css'),
  };
}

/** The page's editors need inline styles and data: fonts; scripts and connections stay with this server. */
const contentSecurity = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      fontSrc: ["'self'", 'data:'],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'", 'ws:', 'wss:'],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

const text =
  (type: string, body: string): RequestHandler =>
  (_request, response) =>
    void response.type(type).send(body);

/** Mount at the root, outside production only. */
export function createGraphiql(): Router {
  const router = Router();
  router.get('/', contentSecurity, text('html', GRAPHIQL_PAGE));
  router.get('/graphiql/start.js', contentSecurity, text('js', GRAPHIQL_START));
  router.get('/graphiql/start.css', contentSecurity, text('css', GRAPHIQL_STYLE));
  for (const [name, path] of Object.entries(files())) {
    router.get(`/graphiql/${name}`, contentSecurity, (_request, response) => response.sendFile(path, { dotfiles: 'allow' }));
  }
  return router;
}
