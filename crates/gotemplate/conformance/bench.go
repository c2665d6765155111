package main

func benchmark() {}
