/** How destinations that ask for it are told who sends. A test holds them against package.json. */
export const PACKAGE_NAME = 'nestjs-tracking';
export const PACKAGE_VERSION = '0.1.0';
