// @ts-check
/**
 * Declares the types of Preact and htm for the type checker; the page gets the standalone bundle
 * of `htm` instead.
 */
export { html } from "htm/preact/standalone";
export { Component, h, render } from "preact";
export * from "preact/hooks";
