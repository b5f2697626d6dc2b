// @ts-check
/**
 * What the page is built with. Here for the type checker; the page is given the one file in which the package
 * `htm` has all of it.
 */
export { html } from "htm/preact/standalone";
export { Component, h, render } from "preact";
export * from "preact/hooks";
